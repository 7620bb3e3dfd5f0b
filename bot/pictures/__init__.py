"""Pictures for the thread: drawn by a process of their own, so that the bot never loads what draws them."""
