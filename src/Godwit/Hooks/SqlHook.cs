using Godwit.ClickHouse;

namespace Godwit.Hooks;

/// <summary>A statement for the server, such as <c>SYSTEM STOP …</c> or <c>DETACH TABLE … SYNC</c>.</summary>
internal sealed record SqlHook(string Statement) : Hook($"sql:{SecretMask.Apply(Statement)}")
{
    public override Task CallAsync(HookCall call, CancellationToken ct) =>
        call.Gateway.ExecuteAsync(Statement, new QueryOptions { QueryId = call.QueryId, Timeout = Timeout.InfiniteTimeSpan }, ct);
}
