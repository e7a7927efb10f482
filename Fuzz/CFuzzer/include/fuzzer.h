// What the harness expects of the one target that it is linked with.
#ifndef COUNTERSIGN_FUZZER_H
#define COUNTERSIGN_FUZZER_H

// Checks the input at hand; every target defines it, in Swift.
void countersign_fuzz_one(void);

#endif
