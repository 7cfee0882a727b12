"""Symbolic differentiation: `gradients` adds the ops of TensorFlow's own gradient graph, under TensorFlow's names."""

from regraft.gradients.engine import AggregationMethod as AggregationMethod
from regraft.gradients.engine import UnconnectedGradients as UnconnectedGradients
from regraft.gradients.engine import gradients as gradients
