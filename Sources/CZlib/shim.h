/* zlib as HTTP/Fence sees it. The function below translates a macro that Swift cannot import; it decides nothing. */
#pragma once
#include <zlib.h>

static inline int cs_inflate_init(z_stream *stream, int window_bits) { return inflateInit2(stream, window_bits); }
