"""tf.contrib.ctc: what moved to tf.nn."""

from __future__ import annotations

from regraft.v1._ctc import ctc_beam_search_decoder as ctc_beam_search_decoder
from regraft.v1._ctc import ctc_greedy_decoder as ctc_greedy_decoder
from regraft.v1._ctc import ctc_loss as ctc_loss

__all__ = ["ctc_beam_search_decoder", "ctc_greedy_decoder", "ctc_loss"]
