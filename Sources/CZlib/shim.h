// zlib as Swift sees it. Its init functions are macros over versioned ones; Swift calls those.
#ifndef CARNET_CZLIB_SHIM_H
#define CARNET_CZLIB_SHIM_H

#include <zlib.h>

#endif
