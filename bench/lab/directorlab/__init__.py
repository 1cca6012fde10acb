"""Real traffic through a pair of directors: pages fetched by a client while servers and directors die and come back (bench/lab/directors)."""
