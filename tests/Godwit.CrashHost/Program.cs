using System.Text.Json;
using Godwit.CrashHost;

// A process that is there to be killed: its argument is a CrashOrder as JSON.
var order = JsonSerializer.Deserialize<CrashOrder>(args[0])!;
var clock = new AheadClock(order.Ahead);
await using var store = await order.OpenAsync(clock);
await CrashRun.GoAsync(order, store, clock, Console.WriteLine);
