"""HTTP itself: the outermost layer, routing, and how requests are read and answered."""
