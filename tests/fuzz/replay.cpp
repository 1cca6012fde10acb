#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

// Runs every file of a directory through a fuzz target once, without libFuzzer: what was found stays a test with any compiler.
// Each input lies in a heap block of exactly its size, so that AddressSanitizer sees an octet read too many.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argument_count, char** arguments) {
    if (argument_count != 2) {
        std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", arguments[0]);
        return 2;
    }
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(arguments[1])) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::vector<char> content(std::istreambuf_iterator<char>(file), {});
        const auto block = std::make_unique<std::uint8_t[]>(content.size());
        std::copy(content.begin(), content.end(), block.get());
        std::printf("%s\n", entry.path().filename().c_str());  // the last line names the one that failed
        std::fflush(stdout);
        LLVMFuzzerTestOneInput(block.get(), content.size());
        ++count;
    }
    std::printf("%zu inputs\n", count);
    return count == 0 ? 1 : 0;  // an empty corpus guards nothing
}
