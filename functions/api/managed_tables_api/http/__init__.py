"""HTTP itself, below everything else: how bodies are read, answered and refused, and the outermost layer."""
