// A worker with one migration of its own. Where ClickHouse is and where runs are kept stand in the environment:
//   GODWIT_SERVER=http://127.0.0.1:8123 GODWIT_STATE=godwit.db dotnet run
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddGodwit(godwit => godwit.Migrations.AddAssembly(typeof(Program).Assembly));
builder.Build().Run();
