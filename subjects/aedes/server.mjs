// The broker of aedes' own documentation, on one port. Sessions and retained messages are in memory, as they are
// unless an application brings a database.
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const [host, port] = process.argv.slice(2)
const broker = await Aedes.createBroker()
broker.on('clientError', (client, error) => console.log(`${client.id}: ${error.message}`))
broker.on('connectionError', (client, error) => console.log(`a connection: ${error.message}`))
createServer(broker.handle).listen(Number(port), host, () => console.log(`ready on ${host}:${port}`))
