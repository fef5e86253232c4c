"""Published figures that studies set beside their own, with their source."""
