using Godwit.Engine;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Engine;

public sealed class EnginePackageTests : IDisposable
{
    private static readonly PinnedPackage Wrong = new("@chdb/lib-linux-x64-gnu", "sha512-wrong");
    private static readonly PinnedPackage Missing = new("@chdb/lib-linux-sparc-gnu", "sha512-none");
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-cache-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Two_that_want_it_fetch_it_once()
    {
        var right = new PinnedPackage("@chdb/lib-linux-x64-gnu", EnginePackage.Integrity);
        var said = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var both = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => EnginePackage.EnsureAsync(_folder, () => right, said.Enqueue, Ct)));
        both.ShouldBe([Path.Combine(_folder, "libchdb.so"), Path.Combine(_folder, "libchdb.so")]);
        said.ShouldBe(["Fetching ClickHouse 26.7 (178 MB, once)…"]);
        Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName).ShouldBe([".lock", "libchdb.so"], ignoreOrder: true);
    }

    [Fact]
    public async Task An_archive_with_another_checksum_is_thrown_away()
    {
        (await Refusal(Wrong)).ShouldEndWith(" and not sha512-wrong, so it was thrown away.");
        Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName).ShouldBe([".lock"]);
    }

    [Fact]
    public async Task A_package_that_cannot_be_had_says_what_npm_said()
    {
        var why = await Refusal(Missing);
        why.ShouldStartWith($"npm could not fetch @chdb/lib-linux-sparc-gnu@{EnginePackage.Version} (exit code 1): npm ");
        why.ShouldContain("404");
    }

    [Theory]
    [InlineData("npm error code ECONNREFUSED\nnpm error syscall connect", "ECONNREFUSED")]
    [InlineData("npm ERR! code EAI_AGAIN\nnpm ERR! syscall getaddrinfo", "EAI_AGAIN")]
    public void A_registry_that_is_out_of_reach_is_named_as_that(string stderr, string code)
        => Npm.Refusal(Wrong.Name, 1, stderr).ShouldBeOfType<EngineStartException>().Message.ShouldBe(
            $"The ClickHouse engine could not be fetched because npm does not reach its registry ({code}): "
            + "see to the network or npm's proxy setting, and try again.");

    private async Task<string> Refusal(PinnedPackage package)
        => (await Should.ThrowAsync<EngineStartException>(() => EnginePackage.EnsureAsync(_folder, () => package, null, Ct))).Message;
}
