"""Saver: the save and restore sub-graph, checkpoints with retention, restoring straight into variables."""

from regraft.checkpoint.management import checkpoint_exists as checkpoint_exists
from regraft.checkpoint.management import latest_checkpoint as latest_checkpoint
from regraft.saver.build import BaseSaverBuilder as BaseSaverBuilder
from regraft.saver.build import BulkSaverBuilder as BulkSaverBuilder
from regraft.saver.init_from import init_from_checkpoint as init_from_checkpoint
from regraft.saver.saveables import SaveableObject as SaveableObject
from regraft.saver.saveables import SaveSpec as SaveSpec
from regraft.saver.saver import Saver as Saver
from regraft.saver.saver import saveable_variables as saveable_variables
from regraft.saver.waiting import checkpoints_iterator as checkpoints_iterator
from regraft.saver.waiting import wait_for_new_checkpoint as wait_for_new_checkpoint
