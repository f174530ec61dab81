using Dapper;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Plans;
using Godwit.Runs;
using Microsoft.Data.Sqlite;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Metadata;

/// <summary>What is done with files that are new, foreign, damaged, locked or out of reach.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-state-");
    private readonly string _path;

    public SqliteFileTests() => _path = Path.Combine(_folder.FullName, "state.db");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_new_file_and_its_folders_are_its_users_alone()
    {
        var path = Path.Combine(_folder.FullName, "a", "b", "state.db");
        await using var store = await SqliteStore.OpenAsync(path, ct: Ct);
        await store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), Ct);
        const UnixFileMode user = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(path).ShouldBe(user);
            File.GetUnixFileMode(path + "-wal").ShouldBe(user);
            File.GetUnixFileMode(Path.Combine(_folder.FullName, "a")).ShouldBe(user | UnixFileMode.UserExecute);
            File.GetUnixFileMode(Path.Combine(_folder.FullName, "a", "b")).ShouldBe(user | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task A_missing_file_is_not_made_when_it_is_only_to_be_read()
    {
        await RefusedAsync($"There is no state file at {_path}. Say which file with --state or start a run first.", create: false);
        File.Exists(_path).ShouldBeFalse();
    }

    [Fact]
    public async Task A_store_that_was_closed_is_opened_again_with_what_it_held()
    {
        await FillAsync();
        await using var store = await SqliteStore.OpenAsync(_path, create: false, ct: Ct);
        (await store.ListRunsAsync(Ct)).ShouldHaveSingleItem().ShouldBeEquivalentTo(StoreSamples.Run("aaaaaaaa"));
    }

    [Fact]
    public async Task A_newer_schema_is_refused_and_an_older_one_upgraded_with_what_it_held()
    {
        await FillAsync();
        using (var connection = Connect())
        {
            SqliteSchema.Upgrade(connection, _path, [.. SqliteSchema.Versions, "ALTER TABLE runs ADD COLUMN colour TEXT DEFAULT 'red'"]);
            connection.QuerySingle<(string, string)>("SELECT run_id, colour FROM runs").ShouldBe(("aaaaaaaa", "red"));
        }

        await RefusedAsync(
            $"The state file {_path} was written by a newer Godwit (schema 3, this one knows 2). Use that version, or name another file with --state.");
    }

    [Fact]
    public async Task An_upgrade_that_fails_changes_nothing()
    {
        await FillAsync();
        using (var connection = Connect())
        {
            Should.Throw<SqliteException>(
                () => SqliteSchema.Upgrade(connection, _path, [.. SqliteSchema.Versions, "ALTER TABLE runs ADD COLUMN colour TEXT; DROP TABLE nothing"]));
        }

        await using var store = await SqliteStore.OpenAsync(_path, ct: Ct);
        (await store.ListRunsAsync(Ct)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Another_programs_sqlite_file_is_refused_and_left_as_it_was()
    {
        using (var connection = Connect(SqliteOpenMode.ReadWriteCreate))
        {
            connection.Execute("CREATE TABLE runs (run_id TEXT)");
        }

        var before = await File.ReadAllBytesAsync(_path, Ct);
        await RefusedAsync($"{_path} is an SQLite file of another program, not a state file of Godwit. Name another file with --state.");
        (await File.ReadAllBytesAsync(_path, Ct)).ShouldBe(before);
    }

    [Fact]
    public async Task A_file_that_is_no_sqlite_file_is_refused_and_left_as_it_was()
    {
        var text = string.Concat(Enumerable.Repeat("These are somebody's notes.\n", 100));
        await File.WriteAllTextAsync(_path, text, Ct);
        await RefusedAsync($"{_path} is not a state file of Godwit: it is not an SQLite file. Name another file with --state.");
        (await File.ReadAllTextAsync(_path, Ct)).ShouldBe(text);
    }

    [Fact]
    public async Task A_damaged_file_is_said_to_be_damaged()
    {
        await FillAsync();
        var bytes = await File.ReadAllBytesAsync(_path, Ct);
        // All but the first page, which holds the header.
        Array.Fill(bytes, (byte)0xAB, 4096, bytes.Length - 4096);
        await File.WriteAllBytesAsync(_path, bytes, Ct);
        await using var store = SqliteStore.Open(_path);
        (await Should.ThrowAsync<StoreException>(store.ListRunsAsync(Ct))).Message.ShouldStartWith($"The state file {_path} is damaged. Restore it");
    }

    [Fact]
    public async Task A_changed_plan_and_an_unknown_state_are_refused()
    {
        await FillAsync();
        using (var connection = Connect())
        {
            connection.Execute("UPDATE plans SET body = replace(body, 'copy', 'drop'); UPDATE runs SET state = 'Levitating'");
        }

        await using var store = await SqliteStore.OpenAsync(_path, ct: Ct);
        await Should.ThrowAsync<StoredFormatException>(store.GetPlanAsync("aaaaaaaa", Ct));
        (await Should.ThrowAsync<StoredFormatException>(store.ListRunsAsync(Ct))).Message.ShouldContain("RunState \"Levitating\"");
    }

    [Fact]
    public async Task A_write_protected_file_is_refused_also_to_root()
    {
        await FillAsync();
        File.SetAttributes(_path, FileAttributes.ReadOnly);
        await RefusedAsync(SqliteFailures.ReadOnlyFile(_path));
    }

    [Fact]
    public async Task A_folder_in_place_of_the_file_is_refused()
    {
        Directory.CreateDirectory(_path);
        await RefusedAsync($"{_path} is a folder, not a state file. Name a file with --state.");
    }

    [Fact]
    public async Task A_file_that_cannot_be_made_is_refused()
    {
        await File.WriteAllTextAsync(_path, "a file in place of the folder", Ct);
        var below = Path.Combine(_path, "state.db");
        var refused = await Should.ThrowAsync<StoreException>(SqliteStore.OpenAsync(below, ct: Ct));
        refused.Message.ShouldStartWith($"The state file {below} cannot be made: ");
        refused.Message.ShouldEndWith(". Name a file in a folder that this user may write to with --state.");
    }

    [Fact]
    public async Task A_file_that_was_deleted_meanwhile_stops_the_writer()
    {
        await using var store = await SqliteStore.OpenAsync(_path, ct: Ct);
        File.Delete(_path);
        (await Should.ThrowAsync<StoreException>(store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), Ct)))
            .Message.ShouldBe($"The state file {_path} was moved or deleted while it was in use. Put it back and resume the run.");
    }

    [Fact]
    public async Task A_lock_that_stays_is_reported_and_keeps_nobody_from_reading()
    {
        await FillAsync();
        await using var store = await SqliteStore.OpenAsync(_path, null, create: false, TimeSpan.FromMilliseconds(20), Ct);
        using var connection = Connect();
        using (connection.BeginTransaction(deferred: false))
        {
            (await Should.ThrowAsync<StoreException>(store.PutRequestAsync("aaaaaaaa", RunRequest.Stop, Ct)))
                .Message.ShouldStartWith($"The state file {_path} stays locked by another process. ");
            (await store.ListRunsAsync(Ct)).Count.ShouldBe(1);
        }

        await store.PutRequestAsync("aaaaaaaa", RunRequest.Stop, Ct);
    }

    [Fact]
    public async Task A_write_that_fails_in_the_middle_leaves_nothing_and_the_store_usable()
    {
        await using var store = await SqliteStore.OpenAsync(_path, ct: Ct);
        using (var connection = Connect())
        {
            connection.Execute("CREATE TRIGGER full BEFORE INSERT ON steps WHEN NEW.step = 1 BEGIN SELECT RAISE(ABORT, 'no room'); END");
        }

        (await Should.ThrowAsync<StoreException>(store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), Ct)))
            .Message.ShouldContain("no room");
        (await store.ListRunsAsync(Ct)).ShouldBeEmpty();
        (await store.GetStepsAsync("aaaaaaaa", Ct)).ShouldBeEmpty();
        await store.CreateRunAsync(StoreSamples.Run("bbbbbbbb"), StoreSamples.Plan(1), Ct);
    }

    [Theory]
    [InlineData(13, "The disk that holds the state file /s.db is full.")]
    [InlineData(8, "The state file /s.db is read-only for this user.")]
    [InlineData(10, "The disk refused to read or write the state file /s.db (SQLite error 10).")]
    [InlineData(14, "The state file /s.db cannot be opened.")]
    [InlineData(6, "The state file /s.db stays locked by another process.")]
    public void Sqlites_errors_are_told_in_sentences(int code, string sentence) =>
        SqliteFailures.Describe(new SqliteException("", code), "/s.db").Message.ShouldStartWith(sentence + " ");

    private async Task FillAsync()
    {
        await using var store = await SqliteStore.OpenAsync(_path, ct: Ct);
        await store.CreateRunAsync(StoreSamples.Run("aaaaaaaa"), StoreSamples.Plan(), Ct);
    }

    private async Task RefusedAsync(string sentence, bool create = true) =>
        (await Should.ThrowAsync<StoreException>(SqliteStore.OpenAsync(_path, create: create, ct: Ct))).Message.ShouldBe(sentence);

    private SqliteConnection Connect(SqliteOpenMode mode = SqliteOpenMode.ReadWrite)
    {
        SQLitePCL.Batteries_V2.Init();
        var connection = new SqliteConnection($"Data Source={_path};Mode={mode};Pooling=False");
        connection.Open();
        return connection;
    }
}
