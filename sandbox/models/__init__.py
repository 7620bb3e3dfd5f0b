"""Local model providers: they speak the real protocols over HTTP and answer what a function tells them to."""
