using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Metadata.Sqlite;

namespace Godwit.Tests.Metadata;

/// <summary>The contract of accounts on a state file in a folder of its own.</summary>
public sealed class SqliteAccountStoreTests : AccountStoreContract
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-state-");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private protected override IAccountStore Open() => StoreLocation.Sqlite(Path.Combine(_folder.FullName, "state.db")).OpenAccounts();
}

/// <summary>The contract on a state file in a folder of its own.</summary>
public sealed class SqliteStoreTests : RunStoreConflictContract
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-state-");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private protected override async Task<IStore> OpenAsync() =>
        await SqliteStore.OpenAsync(Path.Combine(_folder.FullName, "state.db"), Clock, ct: Ct);
}
