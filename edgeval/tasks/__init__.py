"""What is learned: the bundled digits100, CIFAR-100, and the user's own labelled images (`own`)."""

from edgeval.tasks.catalogue import TASKS, Task, task
from edgeval.tasks.split import Progress, Split

__all__ = ["TASKS", "Progress", "Split", "Task", "task"]
