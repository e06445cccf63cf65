"""A task whose source is a written history: for engines of which no server runs here.

What the files look like is the emulator's own knowledge; what a change of an engine tells is in its package.
"""

from local.dms.scripted.script import Script, load_script
from local.dms.scripted.task import ScriptedTask, Step

__all__ = ["Script", "ScriptedTask", "Step", "load_script"]
