using System.Text.Json;
using Godwit.Notifications;

namespace Godwit.Hooks;

/// <summary>An address to which <c>{"action": "pause", "table": "db.t", "run": "…"}</c> is posted; it answers with a 2xx when that is done.</summary>
internal sealed record AddressHook(NotifyTarget Target) : Hook(Target.Shown)
{
    public override async Task CallAsync(HookCall call, CancellationToken ct)
    {
        try
        {
            // How long it may take is the caller's to say.
            var delivery = call.Tools.Delivery with { Timeout = Timeout.InfiniteTimeSpan };
            await delivery.PostAsync(Target, JsonSerializer.Serialize(new { action = call.Action, table = call.Table.ToString(), run = call.RunId }), call.Tools.Clock, ct);
        }
        catch (NotSentException e)
        {
            throw new HookException(e.Message, e);
        }
    }
}
