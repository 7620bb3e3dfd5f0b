"""Pictures of what people see in Slack, drawn offline by a look-alike of its renderer."""
