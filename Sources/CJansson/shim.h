// jansson as Swift sees it. Its type tests are macros; Swift reads `pointee.type` instead.
#ifndef CARNET_CJANSSON_SHIM_H
#define CARNET_CJANSSON_SHIM_H

#include <jansson.h>

#endif
