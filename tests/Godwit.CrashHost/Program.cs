using System.Text.Json;
using Godwit.CrashHost;

// A process that is there to be killed: its argument is a CrashOrder as JSON.
var order = JsonSerializer.Deserialize<CrashOrder>(args[0])!;
await using var store = await order.OpenAsync();
await CrashRun.GoAsync(order, store, null, Console.WriteLine);
