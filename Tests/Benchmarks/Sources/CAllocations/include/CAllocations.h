#pragma once

/// How many blocks this thread has allocated since it began.
unsigned long carnet_allocations(void);
