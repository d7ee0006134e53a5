"""A fleet: many connections, one DynamoDB item each. Pure: adapters and `tokenctl` make the calls."""
