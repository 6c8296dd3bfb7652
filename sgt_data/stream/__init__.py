"""The stream: samples for trainers, in one order that is a pure function of corpus and seed."""
