"""What predictions decide: gate, cutoff, hints, experts, and from which step on."""
