"""The emulated Arm board: builds its disk once, boots it with qemu, and says how ssh reaches it."""
