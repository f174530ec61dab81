using Godwit.IntegrationTests.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>A server of 2018 renames one table after the other, and may die between them: the rest is done by whoever goes on, and nobody else's table is touched.</summary>
public sealed class HalfRenameTests(OldServer server) : IClassFixture<OldServer>
{
    private static readonly RebuildRequest Sorted = new() { Table = new("?", "t"), OrderBy = "(k, id)", Strategy = "static" };

    [Fact]
    public async Task A_cutover_of_which_half_was_done_is_finished()
    {
        using var network = new HalfRename();
        await using var c = await NewAsync(network);
        network.IsOn = true;

        var run = await c.RunAsync(Sorted with { Table = c.Table });

        network.Halves.ShouldBe(1);
        run.State.ShouldBe(RunState.Completed, run.Problem);
        await RequireAsync(c, "k, id", 1000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public async Task A_rollback_of_which_half_was_done_is_finished(int written)
    {
        using var network = new HalfRename();
        await using var c = await NewAsync(network);
        var run = await c.RunAsync(Sorted with { Table = c.Table });
        await c.SqlAsync($"INSERT INTO @t SELECT 5000 + number, 1 FROM numbers(100) WHERE number < {written}");
        network.IsOn = true;

        run = await c.Migrator.RollbackAsync(run.RunId, ct: RebuildCase.Ct);

        network.Halves.ShouldBe(1);
        run.State.ShouldBe(RunState.RolledBack, run.Problem);
        await RequireAsync(c, "id", 1000 + written);
        (await c.AskAsync<long>($"SELECT count() FROM system.tables WHERE database = '{c.Database}'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_table_that_somebody_made_between_the_halves_is_left_to_an_operator()
    {
        using var network = new HalfRename();
        await using var c = await NewAsync(network);
        network.IsOn = true;
        network.MeanwhileAsync = () => c.SqlAsync("CREATE TABLE @t (id UInt64) ENGINE = Memory");

        var run = await c.RunAsync(Sorted with { Table = c.Table });

        run.State.ShouldBe(RunState.NeedsOperator);
        run.Problem.ShouldNotBeNull().ShouldContain("Somebody renamed or made one of them");
        await c.SqlAsync("DROP TABLE @t");
        (await c.Migrator.ResumeAsync(run.RunId, ct: RebuildCase.Ct)).State.ShouldBe(RunState.Completed);
        await RequireAsync(c, "k, id", 1000);
    }

    private async Task<RebuildCase> NewAsync(HalfRename network)
    {
        var c = await RebuildCase.NewAsync(server.Fixture, network);
        await c.SqlAsync("CREATE TABLE @t (id UInt64, k UInt8) ENGINE = MergeTree ORDER BY id", "INSERT INTO @t SELECT number, number % 5 FROM numbers(1000)");
        return c;
    }

    private static async Task RequireAsync(RebuildCase c, string key, long rows)
    {
        (await c.AskAsync<string>($"SELECT sorting_key FROM system.tables WHERE database = '{c.Database}' AND name = 't'")).Trim('(', ')').ShouldBe(key);
        (await c.AskAsync<string>("SELECT toString(tuple(count(), uniqExact(id))) FROM @t")).ShouldBe($"({rows},{rows})");
    }

    /// <summary>Does the first half of one RENAME, and loses the answer.</summary>
    private sealed class HalfRename() : DelegatingHandler(new SocketsHttpHandler())
    {
        public bool IsOn { get; set; }

        public int Halves { get; private set; }

        public Func<Task>? MeanwhileAsync { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var sql = request.Content is { } content ? await content.ReadAsStringAsync(cancellationToken) : "";
            if (!IsOn || Halves > 0 || !sql.StartsWith("RENAME TABLE", StringComparison.Ordinal))
            {
                return await base.SendAsync(request, cancellationToken);
            }

            Halves++;
            request.Content = new StringContent(sql[..sql.IndexOf(", ", StringComparison.Ordinal)]);
            (await base.SendAsync(request, cancellationToken)).EnsureSuccessStatusCode().Dispose();
            await (MeanwhileAsync?.Invoke() ?? Task.CompletedTask);
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "The answer was lost.");
        }
    }
}
