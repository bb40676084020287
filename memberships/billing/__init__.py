"""What is owed: invoices, renewals, what is done about those that are not paid, and what comes of payments."""
