"""The charts at /dashboard: drawn from the store when they are opened, then pushed by Socket.IO in arrays."""
