"""The format on disk: shards, receipts, index, quarantine, and their verification."""
