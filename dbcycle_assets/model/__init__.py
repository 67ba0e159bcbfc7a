"""Pure values and functions: catalog, graph, plan, ledger, survivors. No input, no output."""
