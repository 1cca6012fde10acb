#include "engine/daemon/diagnostics_json.h"

#include <nlohmann/json.hpp>

namespace vigil::daemon {
namespace {

using nlohmann::ordered_json;

const char* name_of(config::Severity severity) {
    switch (severity) {
    case config::Severity::note: return "note";
    case config::Severity::warning: return "warning";
    case config::Severity::error: return "error";
    }
    return "";
}

const char* name_of(config::Category category) {
    switch (category) {
    case config::Category::ordinary: return "ordinary";
    case config::Category::cannot_run: return "cannot_run";
    case config::Category::script_security: return "script_security";
    case config::Category::host: return "host";
    }
    return "";
}

ordered_json json_of(const config::Diagnostic& diagnostic, const config::Configuration& configuration) {
    const config::SourceLocation where = diagnostic.where;
    ordered_json json;
    json["file"] = where.file < configuration.files.size() ? configuration.files[where.file] : "";
    json["line"] = where.line;
    json["column"] = where.column;
    json["end_column"] = where.column == 0 ? 0 : where.column + diagnostic.length;
    json["severity"] = name_of(diagnostic.severity);
    json["category"] = name_of(diagnostic.category);
    json["message"] = diagnostic.message;
    json["help"] = diagnostic.help;
    json["source"] = diagnostic.source_line;
    json["notes"] = ordered_json::array();
    if (diagnostic.is_expanded) json["notes"].push_back("source and columns are those after definitions have been replaced");
    return json;
}

}  // namespace

std::string diagnostics_json(const std::string& name, const config::LoadResult& result) {
    ordered_json json;
    json["file"] = name;
    json["exit_code"] = config::test_exit_code(result.diagnostics);
    json["virtual_routers"] = result.configuration.instances.size();
    json["errors"] = result.diagnostics.count(config::Severity::error);
    json["warnings"] = result.diagnostics.count(config::Severity::warning);
    json["notes"] = result.diagnostics.count(config::Severity::note);
    json["diagnostics"] = ordered_json::array();
    for (const config::Diagnostic& diagnostic : result.diagnostics.all()) json["diagnostics"].push_back(json_of(diagnostic, result.configuration));
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';   // a file may hold any octets
}

}  // namespace vigil::daemon
