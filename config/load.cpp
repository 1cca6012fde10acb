/// The parts in their order: Preprocessor (files to effective lines) -> BlockParser (lines to one root block at a time) -> Interpreter
/// (block to model) -> validate() (defaults and cross checks). They are joined by two small sink interfaces and run as one
/// pass, so the whole file is never held in any form but its own text.
///
/// Runs on the thread that calls it, takes no lock and keeps nothing: two loads may run at once. Time and environment come in
/// through LoadOptions and FileSystem only. RFC 9568 gives the ranges of protocol values; the language has no standard but keepalived.

#include "config/load.h"

#include "config/interpreter.h"
#include "config/preprocessor.h"

namespace vigil::config {

namespace {

template <typename Read>
LoadResult load_with(const LoadOptions& options, Read read) {
    LoadResult result;
    result.configuration.texts = std::make_shared<TextPool>();
    Sources sources;
    Reporter reporter(sources, result.diagnostics);
    Context context{result.configuration, reporter, options, *result.configuration.texts, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
    Interpreter interpreter(context);
    BlockParser parser(reporter, interpreter);
    Preprocessor preprocessor(options, sources, reporter, parser);
    read(preprocessor);
    parser.finish();
    validate(context);
    result.configuration.texts->finish();
    result.configuration.files = sources.names();
    result.diagnostics.sort();
    result.is_readable = preprocessor.is_readable();
    return result;
}

}  // namespace

LoadResult load(const LoadOptions& options) {
    return load_with(options, [&](Preprocessor& preprocessor) { preprocessor.read_main(options.path); });
}

LoadResult load_text(std::string_view name, std::string_view text, const LoadOptions& options) {
    return load_with(options, [&](Preprocessor& preprocessor) { preprocessor.read_text(std::string(name), std::string(text)); });
}

}  // namespace vigil::config
