"""Discord: servers, threads and direct messages become sessions and people of the memory core."""
