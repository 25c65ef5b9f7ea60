"""The command line `fmgo`: set up, hand in, look at, run. Exit 0 done, 1 the answer is "no", 2 bad input or usage."""
