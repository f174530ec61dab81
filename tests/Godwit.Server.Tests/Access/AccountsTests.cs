using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Server.Access;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Access;

/// <summary>Accounts as they are kept.</summary>
public sealed class AccountsTests
{
    [Fact]
    public async Task What_cannot_be_a_name_is_nobody_also_where_the_store_cannot_hold_it()
    {
        await using var postgres = await PostgresFixture.StartAsync();
        await using var store = StoreLocation.Postgres(postgres.ConnectionString).OpenAccounts(TimeProvider.System);

        var accounts = new Accounts(store, TimeProvider.System);

        foreach (var name in new[] { "ada\0", "\ud800", "" })
        {
            (await accounts.LoginAsync(name, "a password of some words", TestContext.Current.CancellationToken)).ShouldBe((LoginOutcome.Unknown, null));
        }
    }
}
