// libarchive, which reads Microsoft's cabinets, as Swift sees it.
#ifndef CARNET_CARCHIVE_SHIM_H
#define CARNET_CARCHIVE_SHIM_H

#include <archive.h>
#include <archive_entry.h>

#endif
