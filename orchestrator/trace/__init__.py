"""Reading X-Ray traces as they are: documents to a tree, a tree to resources, calls and failures."""
