"""S3: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent
from specialists.s3.probes import bucket_changes, caller_errors, requests

INSTRUCTIONS = (
    "You read one incident's evidence about S3 buckets. Access denied may come from bucket policy, Block Public "
    "Access, ownership, the caller's role, an endpoint, or the object's KMS key, whose error names the key. Without "
    "ListBucket a missing object is answered as denied, and 404 on a key is not 404 on a bucket. A redirect means "
    "another Region. For events that never came, compare prefix, suffix and event names, then the receiver's "
    "permission. 503 Slow Down belongs to one prefix."
)

AGENT = Agent(INSTRUCTIONS, tools=(caller_errors, requests, bucket_changes))
