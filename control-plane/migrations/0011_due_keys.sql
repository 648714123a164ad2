-- The worker asks every second which keys of any tenant are due.
create index signing_keys_retiring_idx on signing_keys (retires_at) where state = 'retiring';
create index signing_keys_active_idx on signing_keys (activated_at) where state = 'active';
