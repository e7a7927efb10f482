/* The target needs one C file to be a target; everything is in the header. */
#include "CShims.h"
