using Godwit.ClickHouse;

namespace Godwit.CrashHost;

/// <summary>
/// What another client does right after a journal entry was written for the first time: once, also when the process that wrote
/// it dies and another one writes it again.
/// </summary>
/// <param name="Entry">The name of the write.</param>
/// <param name="Done">The table, of one string column, that keeps which injections have been made.</param>
/// <param name="Statements">The statements; <c>{run}</c> stands for the run's id.</param>
public sealed record Injection(string Entry, string Done, IReadOnlyList<string> Statements)
{
    /// <summary>Makes it, unless it was made before. A server that is away is waited for.</summary>
    public async Task MakeAsync(ClickHouseGateway gateway, string runId)
    {
        while (true)
        {
            try
            {
                if (await gateway.ScalarAsync<long>($"SELECT count() FROM {Done} WHERE entry = {Sql.Literal(Entry)}") > 0)
                {
                    return;
                }

                break;
            }
            catch (ClickHouseException e) when (e.IsTransient)
            {
                await Task.Delay(100);
            }
        }

        foreach (var statement in Statements.Append($"INSERT INTO {Done} VALUES ({Sql.Literal(Entry)})"))
        {
            await gateway.ExecuteAsync(statement.Replace("{run}", runId, StringComparison.Ordinal));
        }
    }
}
