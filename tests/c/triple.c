/* A library that plugins of other languages call. */
int triple(int number) { return 3 * number; }
