#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PEER_SECONDS 0.3

/// The text of a file, without a line end.
static char *peer_read(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 65536);
    if (file == NULL || text == NULL) exit(2);
    size_t count = fread(text, 1, 65535, file);
    fclose(file);
    while (count > 0 && text[count - 1] == '\n' && strncmp(text, "-----", 5) != 0) text[--count] = 0;
    return text;
}

/// Seconds of this process on a processor.
static double peer_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
