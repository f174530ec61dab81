using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Metadata;

/// <summary>Where runs are kept, as people write it; and a file that is opened when it can be.</summary>
public sealed class StoreLocationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-location-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("state.db", "state.db", false)]
    [InlineData("/var/lib/my host=1.db", "/var/lib/my host=1.db", false)]
    [InlineData(" postgresql://u@db.example/app ", "db.example:5432/app", false)]
    [InlineData("postgres://u:p%2F%40@db:5433/my%20app", "db:5433/my app", true)]
    [InlineData("POSTGRESQL://[::1]/app", "[::1]:5432/app", false)]
    [InlineData("Host=db;Database=app", "db:5432/app", false)]
    [InlineData("Database=app; server = db ;Password=p", "db:5432/app", true)]
    public void What_is_written_is_understood(string text, string expected, bool holdsPassword)
    {
        StoreLocation.TryParse(text, out var location, out var error).ShouldBeTrue(error);

        location!.ToString().ShouldBe(expected);
        location.HoldsPassword.ShouldBe(holdsPassword);
    }

    [Theory]
    [InlineData(null, "is empty")]
    [InlineData("  ", "is empty")]
    [InlineData("postgresql://", "is not an address such as")]
    [InlineData("postgresql://db", "is not an address such as")]
    [InlineData("postgresql://db/", "is not an address such as")]
    [InlineData("postgresql://u:geheim@db/app/more", "'…@db/app/more' is not an address such as")]
    [InlineData("postgresql://u:12/geheim@db/app", "'…@db/app' is not an address such as")]
    [InlineData("postgresql://u:geh@eim#@db/app", "'…@db/app' is not an address such as")]
    [InlineData("postgresql://u@db/app?sslmode=verify-full", "is not an address such as")]
    [InlineData("Host=db;Password=a;geheim", "cannot be read: look at its keywords")]
    [InlineData("Host=db;Port=geheim", "cannot be read: look at its keywords")]
    [InlineData("Host=;Database=app", "names no Host")]
    public void What_is_none_is_refused_in_a_sentence_without_a_password(string? text, string problem)
    {
        StoreLocation.TryParse(text, out _, out var error).ShouldBeFalse();

        error.ShouldNotBeNull().ShouldContain(problem);
        error.ShouldNotContain("geheim");
    }

    [Fact]
    public void A_relative_file_is_taken_from_a_folder()
    {
        StoreLocation.Sqlite("state.db").Under("/var").File.ShouldBe("/var/state.db");
        StoreLocation.Sqlite("/run/state.db").Under("/var").File.ShouldBe("/run/state.db");
        StoreLocation.Postgres("Host=db;Database=app").Under("/var").ToString().ShouldBe("db:5432/app");
    }

    [Fact]
    public void A_location_with_problems_is_not_opened() =>
        Should.Throw<ArgumentException>(() => StoreLocation.Postgres(null).Open()).Message.ShouldBe("The connection string of the store is empty.");

    [Fact]
    public async Task A_file_that_is_away_is_told_of_and_used_when_it_can_be()
    {
        var ct = TestContext.Current.CancellationToken;
        var mount = Path.Combine(_folder, "mount");
        await File.WriteAllTextAsync(mount, "not a folder yet", ct);
        await using var store = SqliteStore.Open(Path.Combine(mount, "state.db"));

        (await Should.ThrowAsync<StoreException>(store.ListRunsAsync(ct))).Message.ShouldContain("cannot be made");
        await Should.ThrowAsync<StoreException>(store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), ct));
        File.Delete(mount);

        await store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), ct);
        (await store.ListRunsAsync(ct)).ShouldHaveSingleItem().RunId.ShouldBe("aaaaaaaa");
    }
}
