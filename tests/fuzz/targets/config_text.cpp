/// Any text as keepalived.conf, with small bounds so that a loop bomb ends in milliseconds. Includes see one file: the text itself,
/// which makes circles. What comes out is dumped and reported, so that every view that the model keeps is read.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/load.h"

namespace {

using namespace vigil::config;

class OneFile final : public FileSystem {
public:
    explicit OneFile(std::string content) : content_(std::move(content)) {}
    std::optional<std::string> read(const std::string&) const override { return content_; }
    Kind kind(const std::string& path) const override { return path.ends_with("missing") ? Kind::missing : Kind::regular; }
    std::vector<std::string> glob(const std::string& pattern) const override { return {pattern + "1", pattern + "2"}; }
    std::optional<std::string> environment(const std::string& name) const override { return name; }

private:
    std::string content_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const OneFile files(text);
    LoadOptions options;
    options.file_system = &files;
    options.config_id = "a";
    options.limits.generated_lines = 2'000;
    options.limits.expanded_bytes = 1 << 18;
    options.limits.files = 20;
    const LoadResult result = load_text("fuzz.conf", text, options);
    std::size_t length = dump(result.configuration).size();
    for (const Diagnostic& diagnostic : result.diagnostics.all()) length += to_text(diagnostic, result.configuration).size();
    for (const VrrpInstance& instance : result.configuration.instances) {
        if (to_number(instance.vrid) == 0 || instance.virtual_addresses.size() > 255) std::abort();
        for (const NotifyScript& script : instance.scripts) length += split_command(script.command).size();
    }
    return length == static_cast<std::size_t>(-1) ? 1 : 0;
}
