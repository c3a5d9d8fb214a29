/* assert() for handlers: a failure ends the run with file, line and expression.  Like the C
 * library's header it has no include guard and follows NDEBUG at each inclusion. */
#ifdef __cplusplus
namespace pstack {
[[noreturn]] void assertion_failed(const char *expression, const char *file, int line);
}
#endif
#undef assert
#ifdef NDEBUG
#define assert(expression) ((void)0)
#else
#define assert(...) \
    ((__VA_ARGS__) ? (void)0 : ::pstack::assertion_failed(#__VA_ARGS__, __FILE__, __LINE__))
#endif
