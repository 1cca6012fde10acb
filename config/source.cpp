#include "config/source.h"

#include <cstring>

namespace vigil::config {

std::uint16_t Sources::add(std::string name, std::string content) {
    files_.push_back(std::make_unique<File>(File{std::move(name), std::move(content), {}}));
    return static_cast<std::uint16_t>(files_.size() - 1);
}

std::string_view Sources::line(SourceLocation where) const {
    if (where.line == 0 || where.file >= files_.size()) return {};
    const File& file = *files_[where.file];
    if (file.starts.empty()) {
        file.starts.push_back(0);
        for (std::size_t at = 0; at < file.content.size(); ++at) {
            if (file.content[at] == '\n') file.starts.push_back(static_cast<std::uint32_t>(at + 1));
        }
    }
    if (where.line > file.starts.size()) return {};
    std::string_view rest = std::string_view(file.content).substr(file.starts[where.line - 1]);
    rest = rest.substr(0, rest.find('\n'));
    if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
    return rest;
}

std::vector<std::string> Sources::names() const {
    std::vector<std::string> names;
    names.reserve(files_.size());
    for (const auto& file : files_) names.push_back(file->name);
    return names;
}

}  // namespace vigil::config
