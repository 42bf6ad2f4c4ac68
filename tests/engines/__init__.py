"""Steps on other machines: real schedulers, brokers and workers, each a process of its own."""
