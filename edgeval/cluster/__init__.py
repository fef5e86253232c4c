"""More than one machine: a Ray cluster joined or started, its nodes looked at, and generators that run on them."""
