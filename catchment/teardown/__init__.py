"""Taking an environment out of an account, so that nothing of it is left behind that nobody knows of."""

from catchment.teardown.inventory import Inventory, Kept, StackFound, take_inventory
from catchment.teardown.run import Step, steps

__all__ = ["Inventory", "Kept", "StackFound", "Step", "steps", "take_inventory"]
